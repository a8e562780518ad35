//! What an agent says is decoded, frame by frame, and acted on.

use super::told::resumed;
use super::{Executor, Live};
use crate::agent::Signal;
use crate::history::State;
use crate::run::sink::{Heard, RunSink};
use crate::stream::{Frame, FrameDecoder};

use tokio::time::Instant;

impl Executor {
    /// Decodes what was read.
    pub(super) async fn output(&mut self) {
        if let Some(turn) = &mut self.turn {
            turn.last_output = Instant::now();
        }
        if let Some(mut live) = self.live.take() {
            let drop_chunks = self.dispatcher.is_full();
            self.decode(&mut live, FrameDecoder::next_frame, drop_chunks).await;
            self.live = Some(live);
        }
    }

    /// Decodes the frames that `next` finds, and acts on each before the next one.
    pub(super) async fn decode(
        &mut self,
        live: &mut Live,
        next: for<'a> fn(&'a mut FrameDecoder) -> Option<Frame<'a>>,
        drop_chunks: bool,
    ) {
        let now = self.dispatcher.tick();
        while let Some(frame) = next(&mut live.frames) {
            let mut sink = self.sink(drop_chunks);
            sink.frame(&frame, now, &mut *live.dialect);
            let heard = sink.heard();
            self.act_on_all(heard, live).await;
        }
    }

    pub(super) fn sink(&mut self, drop_chunks: bool) -> RunSink<'_> {
        RunSink {
            dispatcher: &mut self.dispatcher,
            agent: &*self.agent,
            output: self.turn.as_mut().map(|turn| &mut turn.output),
            drop_chunks,
            heard: Heard::default(),
        }
    }

    pub(super) async fn act_on_all(&mut self, heard: Heard, live: &mut Live) {
        if heard.used {
            self.keep_to_budget(live);
        }
        for signal in heard.signals {
            self.act_on(signal, live);
            self.conclude().await;
        }
    }

    fn act_on(&mut self, signal: Signal, live: &mut Live) {
        match signal {
            Signal::Ready { agent_session_id } => self.ready(agent_session_id, live),
            Signal::Permission(request) => self.permission(request, live),
            Signal::PermissionWithdrawn(id) => {
                if let Some(question) = self.take_question(&id) {
                    self.resolved(&question, "withdrawn", "agent", None);
                }
            }
            Signal::Reply(bytes) => live.process.write(bytes),
            Signal::TurnEnded(end) => {
                if !self.must_begin_anew(end.error.as_ref()) {
                    self.attempt_ended(end);
                }
            }
        }
    }

    fn ready(&mut self, agent_session_id: Option<String>, live: &mut Live) {
        if agent_session_id.is_some() && agent_session_id != self.agent_session_id {
            self.agent_session_id.clone_from(&agent_session_id);
            if let Some(recorder) = self.dispatcher.recorder() {
                recorder.state(State { agent_session_id, ..State::default() });
            }
        }
        live.ready = true;
        if std::mem::take(&mut live.resumes) {
            self.dispatcher.chunk(resumed("agent", None));
        }
        if let Some(turn) = &mut self.turn {
            turn.output.ready = true;
            turn.interruptible = true;
        }
        self.interrupt_if_cancelled(live);
    }
}
