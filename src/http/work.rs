//! Owns the way from async handlers to the engine's threads: a bounded queue, a bounded wait.
//! Knows nothing of what is worked on.

use std::sync::Arc;
use std::time::Duration;

use tokio::sync::Semaphore;

use super::problem::Problem;

/// Runs blocking work off the async threads; a full queue and a long wait are answers, too.
#[derive(Debug, Clone)]
pub struct Work {
    /// Places for requests that wait or are worked on.
    places: Arc<Semaphore>,
    /// Places for requests that are worked on.
    running: Arc<Semaphore>,
    longest: Duration,
}

impl Work {
    /// `running` requests at a time, `queue` more may wait, none longer than `longest`.
    #[must_use]
    pub fn new(running: usize, queue: usize, longest: Duration) -> Self {
        let running = running.max(1);
        Self { places: Arc::new(Semaphore::new(running + queue)), running: Arc::new(Semaphore::new(running)), longest }
    }

    /// Whether another request would be taken.
    #[must_use]
    pub fn has_place(&self) -> bool {
        self.places.available_permits() > 0
    }

    /// Runs `job` on a blocking thread.
    ///
    /// # Errors
    /// The queue is full, the time is over, or the job panicked.
    pub async fn run<T: Send + 'static>(&self, job: impl FnOnce() -> T + Send + 'static) -> Result<T, Problem> {
        let place = Arc::clone(&self.places).try_acquire_owned().map_err(|_| Problem::overloaded())?;
        let running = Arc::clone(&self.running);
        let work = async move {
            let permit = running.acquire_owned().await.map_err(|_| Problem::overloaded())?;
            let done = tokio::task::spawn_blocking(move || {
                // A request that was given up keeps its places until its work ends: they bound the work.
                let _held = (place, permit);
                job()
            });
            done.await.map_err(|_| Problem::internal())
        };
        tokio::time::timeout(self.longest, work).await.map_err(|_| Problem::timed_out(self.longest))?
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[actix_web::test]
    async fn a_full_queue_is_answered_and_a_panic_is_an_error() {
        let work = Work::new(1, 0, Duration::from_secs(5));
        let (release, wait) = std::sync::mpsc::channel::<()>();
        let first = tokio::spawn({
            let work = work.clone();
            async move { work.run(move || wait.recv().is_ok()).await }
        });
        while work.has_place() {
            tokio::task::yield_now().await;
        }
        assert_eq!(work.run(|| 1).await.unwrap_err().code(), "overloaded");
        release.send(()).unwrap();
        assert!(first.await.unwrap().unwrap());
        assert_eq!(work.run(|| -> u8 { panic!("no") }).await.unwrap_err().code(), "internal");
        assert_eq!(work.run(|| 2).await.unwrap(), 2);
    }

    #[actix_web::test]
    async fn waiting_is_bounded() {
        let work = Work::new(1, 1, Duration::from_millis(20));
        let slow = work.run(|| std::thread::sleep(Duration::from_millis(200))).await;
        assert_eq!(slow.unwrap_err().code(), "timed_out");
    }
}
