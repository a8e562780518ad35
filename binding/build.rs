//! Sets up the linking of a Node addon.

fn main() {
    napi_build::setup();
}
