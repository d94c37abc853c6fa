//! A future or stream that is polled only when it was woken.
//!
//! The parts of a connection share one task. What wakes one of them would have all of them polled, most for nothing: on a
//! busy connection that is more work than its frames are.

use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::task::{Context, Poll, Wake, Waker};

use futures_util::Stream;
use futures_util::task::AtomicWaker;

/// Polls what is inside only if it was woken since it was last pending.
#[derive(Debug)]
pub struct Gate<T> {
    inner: T,
    bell: Arc<Bell>,
    waker: Waker,
}

/// What the one inside wakes.
#[derive(Debug)]
struct Bell {
    rung: AtomicBool,
    outside: AtomicWaker,
}

// === impl Gate ===

impl<T> Gate<T> {
    /// Polled once in any case.
    pub fn new(inner: T) -> Self {
        let bell = Arc::new(Bell {
            rung: AtomicBool::new(true),
            outside: AtomicWaker::new(),
        });
        Self {
            inner,
            waker: Waker::from(Arc::clone(&bell)),
            bell,
        }
    }

    /// What is inside, to be changed: it is polled once more in any case.
    pub fn get_mut(&mut self) -> &mut T {
        self.bell.rung.store(true, Ordering::Release);
        &mut self.inner
    }

    fn poll_inner<R>(
        &mut self,
        context: &Context<'_>,
        poll: impl FnOnce(&mut T, &mut Context<'_>) -> Poll<R>,
    ) -> Poll<R> {
        // First: who rings between the two is heard by one of them.
        self.bell.outside.register(context.waker());
        // Mostly it was not rung, and to read that is cheaper than to write it.
        if !self.bell.rung.load(Ordering::Acquire) {
            return Poll::Pending;
        }
        self.bell.rung.swap(false, Ordering::AcqRel);
        let result = poll(&mut self.inner, &mut Context::from_waker(&self.waker));
        if result.is_ready() {
            // There may be more, and nobody was told to ring for it.
            self.bell.rung.store(true, Ordering::Release);
        }
        result
    }
}

impl<F: Future + Unpin> Future for Gate<F> {
    type Output = F::Output;

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<F::Output> {
        self.poll_inner(context, |inner, context| Pin::new(inner).poll(context))
    }
}

impl<S: Stream + Unpin> Stream for Gate<S> {
    type Item = S::Item;

    fn poll_next(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<S::Item>> {
        self.poll_inner(context, |inner, context| Pin::new(inner).poll_next(context))
    }
}

// === impl Bell ===

impl Wake for Bell {
    fn wake(self: Arc<Self>) {
        self.wake_by_ref();
    }

    fn wake_by_ref(self: &Arc<Self>) {
        self.rung.store(true, Ordering::Release);
        self.outside.wake();
    }
}

#[cfg(test)]
mod tests {
    use std::future::poll_fn;

    use futures_util::{FutureExt as _, StreamExt as _};
    use tokio::sync::mpsc;
    use tokio_stream::wrappers::ReceiverStream;

    use super::*;

    #[tokio::test]
    async fn what_was_not_woken_is_not_polled() {
        let mut polled = 0;
        let mut gate = Gate::new(poll_fn(|_| {
            polled += 1;
            if polled < 2 {
                Poll::Pending
            } else {
                Poll::Ready(polled)
            }
        }));
        assert_eq!((&mut gate).now_or_never(), None);
        assert_eq!((&mut gate).now_or_never(), None);
        gate.waker.wake_by_ref();
        assert_eq!((&mut gate).now_or_never(), Some(2), "and not a third time");
    }

    #[tokio::test]
    async fn what_was_changed_is_polled() {
        let mut gate = Gate::new(std::future::pending::<u8>().boxed());
        assert_eq!((&mut gate).now_or_never(), None);
        *gate.get_mut() = std::future::ready(1).boxed();
        assert_eq!((&mut gate).now_or_never(), Some(1));
    }

    #[tokio::test]
    async fn a_stream_loses_nothing_and_ends() {
        let (sender, receiver) = mpsc::channel(2);
        let mut gate = Gate::new(ReceiverStream::new(receiver));
        let sending = async move {
            for number in 0..1_000 {
                sender.send(number).await.unwrap();
                if number % 7 == 0 {
                    tokio::task::yield_now().await;
                }
            }
        };
        let receiving = async {
            let mut numbers = Vec::new();
            while let Some(number) = gate.next().await {
                numbers.push(number);
            }
            numbers
        };
        let (numbers, ()) = tokio::join!(receiving, sending);
        assert_eq!(numbers, (0..1_000).collect::<Vec<_>>());
    }
}
