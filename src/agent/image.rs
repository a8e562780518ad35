//! Images that belong to a prompt: read, checked and encoded before the turn begins, so that what an agent would refuse in
//! the middle of one never gets that far.
//!
//! The limits are those of the Anthropic API, the narrowest of the agents': 5 MiB in base64 for an image, 32 MiB for a
//! request, and of more than 20 images only small ones. Claude Code keeps to them too (`maxBase64Size` and `targetRawSize`
//! in 2.1.329).

use std::fmt;
use std::fs::{self, File};
use std::io::{self, Read as _};
use std::path::{Path, PathBuf};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde::Serialize;

use crate::error::{Error, Result};

/// The largest image, in bytes: what makes 5 MiB in base64.
pub const IMAGE_LIMIT: usize = 5 * 1024 * 1024 / 4 * 3;

/// How large all images of a prompt are at most, in bytes: 24 MiB in base64, which leaves room for the conversation.
pub const IMAGES_LIMIT: usize = 24 * 1024 * 1024 / 4 * 3;

/// The most images of a prompt.
pub const MOST_IMAGES: usize = 20;

/// Where an image comes from.
#[derive(Clone, PartialEq, Eq)]
pub enum ImageSource {
    /// A file.
    File {
        /// Where it is.
        path: PathBuf,
        /// What it is called, in errors and in the history.
        name: String,
    },
    /// The image itself.
    Bytes {
        /// As it would be in a file.
        data: Vec<u8>,
        /// What it is said to be, such as `image/png`.
        media_type: String,
        /// What it is called.
        name: String,
    },
}

impl fmt::Debug for ImageSource {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (Self::File { name, .. } | Self::Bytes { name, .. }) = self;
        f.debug_tuple("ImageSource").field(name).finish()
    }
}

/// What is told of an image, without its pixels.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct ImageInfo {
    /// What it is called.
    pub name: String,
    /// `image/png`, `image/jpeg`, `image/gif` or `image/webp`.
    pub media_type: &'static str,
    /// Its size in bytes.
    pub bytes: usize,
}

/// An image that an agent can be given.
#[derive(Clone, PartialEq, Eq)]
pub struct Image {
    /// What is told of it.
    pub info: ImageInfo,
    /// It in base64.
    pub base64: String,
}

impl fmt::Debug for Image {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.info.fmt(f)
    }
}

impl Image {
    /// It as a `data:` URL.
    pub fn data_url(&self) -> String {
        format!("data:{};base64,{}", self.info.media_type, self.base64)
    }

    fn new(name: String, data: &[u8]) -> Result<Self> {
        if data.len() > IMAGE_LIMIT {
            return Err(too_large(&name, data.len()));
        }
        let Some(media_type) = media_type_of(data) else {
            return Err(invalid(format!("the image '{name}' is no PNG, JPEG, GIF or WebP")));
        };
        let info = ImageInfo { name, media_type, bytes: data.len() };
        Ok(Self { info, base64: STANDARD.encode(data) })
    }
}

/// Reads and checks the images of a prompt. Blocks for as long as that takes.
pub fn read_images(sources: Vec<ImageSource>) -> Result<Vec<Image>> {
    if sources.len() > MOST_IMAGES {
        let count = sources.len();
        return Err(invalid(format!("{count} images are too many for one prompt; at most {MOST_IMAGES}")));
    }
    let mut images: Vec<Image> = Vec::with_capacity(sources.len());
    for source in sources {
        images.push(match source {
            ImageSource::File { path, name } => {
                let data = read(&path, &name)?;
                Image::new(name, &data)?
            }
            ImageSource::Bytes { data, media_type, name } => {
                let image = Image::new(name, &data)?;
                let ImageInfo { name, media_type: found, .. } = &image.info;
                if *found != media_type {
                    return Err(invalid(format!("the image '{name}' is {found} and not '{media_type}'")));
                }
                image
            }
        });
        let bytes: usize = images.iter().map(|image| image.info.bytes).sum();
        if bytes > IMAGES_LIMIT {
            return Err(invalid(format!(
                "the images are too large together, {}; at most {} for one prompt",
                megabytes(bytes),
                megabytes(IMAGES_LIMIT)
            )));
        }
    }
    Ok(images)
}

/// The bytes of a file, one more than the limit at most.
fn read(path: &Path, name: &str) -> Result<Vec<u8>> {
    let problem = |error: &io::Error| match error.kind() {
        io::ErrorKind::NotFound => invalid(format!("there is no image '{name}'")),
        _ => invalid(format!("the image '{name}' cannot be read: {error}")),
    };
    let metadata = fs::metadata(path).map_err(|error| problem(&error))?;
    // A pipe would be waited for.
    if !metadata.is_file() {
        return Err(invalid(format!("the image '{name}' is no file")));
    }
    let file = File::open(path).map_err(|error| problem(&error))?;
    let mut data = Vec::new();
    let limit = IMAGE_LIMIT as u64 + 1;
    file.take(limit).read_to_end(&mut data).map_err(|error| problem(&error))?;
    if data.len() > IMAGE_LIMIT {
        return Err(too_large(name, usize::try_from(metadata.len()).unwrap_or(usize::MAX).max(data.len())));
    }
    Ok(data)
}

/// What an image is, by how it begins.
fn media_type_of(data: &[u8]) -> Option<&'static str> {
    match data {
        [0x89, b'P', b'N', b'G', b'\r', b'\n', 0x1a, b'\n', ..] => Some("image/png"),
        [0xff, 0xd8, 0xff, ..] => Some("image/jpeg"),
        [b'G', b'I', b'F', b'8', b'7' | b'9', b'a', ..] => Some("image/gif"),
        [b'R', b'I', b'F', b'F', _, _, _, _, b'W', b'E', b'B', b'P', ..] => Some("image/webp"),
        _ => None,
    }
}

fn too_large(name: &str, bytes: usize) -> Error {
    invalid(format!(
        "the image '{name}' is too large, {}; models take images up to {}, which is 5 MiB in base64",
        megabytes(bytes),
        megabytes(IMAGE_LIMIT)
    ))
}

fn megabytes(bytes: usize) -> String {
    #[expect(clippy::cast_precision_loss, reason = "a tenth of a megabyte is shown")]
    let megabytes = bytes as f64 / 1e6;
    format!("{megabytes:.1} MB")
}

fn invalid(message: String) -> Error {
    Error::InvalidInput(message.into())
}

#[cfg(test)]
mod tests {
    use super::*;

    const PNG: &[u8] = b"\x89PNG\r\n\x1a\n and so on";

    fn message(sources: Vec<ImageSource>) -> String {
        let error = read_images(sources).expect_err("it cannot be used");
        assert!(matches!(error, Error::InvalidInput(_)), "{error:?}");
        error.to_string()
    }

    fn bytes(data: impl Into<Vec<u8>>) -> ImageSource {
        ImageSource::Bytes { data: data.into(), media_type: "image/png".into(), name: "it".into() }
    }

    fn png_of(size: usize) -> Vec<u8> {
        let mut data = PNG.to_vec();
        data.resize(size, 0);
        data
    }

    #[test]
    fn an_image_is_known_by_how_it_begins() {
        for (data, expected) in [
            (PNG, Some("image/png")),
            (b"\xff\xd8\xff\xe0", Some("image/jpeg")),
            (b"GIF89a;", Some("image/gif")),
            (b"GIF87a", Some("image/gif")),
            (b"RIFF\x10\0\0\0WEBPVP8 ", Some("image/webp")),
            (b"RIFF\x10\0\0\0WAVE", None),
            (b"BM\x10\0", None),
            (b"%PDF-1.7", None),
            (b"<svg xmlns='http://www.w3.org/2000/svg'/>", None),
            (b"\x89PNG", None),
            (b"", None),
        ] {
            assert_eq!(media_type_of(data), expected, "{data:?}");
        }
    }

    #[test]
    fn what_cannot_be_used_is_told_by_name() {
        let folder = tempfile::tempdir().expect("a folder");
        let file = |name: &str, data: &[u8]| {
            let path = folder.path().join(name);
            std::fs::write(&path, data).expect("it can be written");
            vec![ImageSource::File { path, name: name.to_owned() }]
        };
        assert_eq!(message(file("a.png", b"text")), "the image 'a.png' is no PNG, JPEG, GIF or WebP");
        assert_eq!(
            message(file("b.png", &png_of(IMAGE_LIMIT + 1))),
            "the image 'b.png' is too large, 3.9 MB; models take images up to 3.9 MB, which is 5 MiB in base64"
        );
        let at = |path: PathBuf| vec![ImageSource::File { path, name: "it".into() }];
        assert_eq!(message(at(folder.path().join("none"))), "there is no image 'it'");
        assert_eq!(message(at(folder.path().to_owned())), "the image 'it' is no file");
        assert_eq!(message(at("/dev/zero".into())), "the image 'it' is no file");
        assert_eq!(message(vec![bytes(*b"GIF89a")]), "the image 'it' is image/gif and not 'image/png'");
        assert!(message(vec![bytes(PNG); 21]).starts_with("21 images are too many"));
        let many = vec![bytes(png_of(IMAGE_LIMIT)); 5];
        assert!(message(many).starts_with("the images are too large together, 19.7 MB; at most 18.9 MB"));
    }

    #[test]
    fn the_largest_that_may_be_is_5_mib_in_base64() {
        let images = read_images(vec![bytes(png_of(IMAGE_LIMIT))]).expect("it is not too large");
        assert_eq!(images[0].base64.len(), 5 * 1024 * 1024);
        assert_eq!(images[0].info.bytes, IMAGE_LIMIT);
        assert!(images[0].data_url().starts_with("data:image/png;base64,iVBORw0KGgo"));
        assert!(!format!("{images:?}").contains("iVBORw"), "no pixels in logs");
    }
}
