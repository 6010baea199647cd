//! What came over a channel and nobody has accounted for. Apart, because it is kept for the record's sake, whatever the
//! protocol makes of it, and must not cost more than the record is worth.

use std::sync::atomic::{AtomicUsize, Ordering};

/// Kept of one channel.
const MOST: usize = 1024 * 1024;
/// Kept of all channels together. What is beyond it is lost unless its protocol keeps it.
const MOST_IN_ALL: usize = 64 * 1024 * 1024;

/// How much all channels keep now.
static IN_ALL: AtomicUsize = AtomicUsize::new(0);

#[derive(Debug, Default)]
pub(crate) struct Untold {
    bytes: Vec<u8>,
    /// How often the conversation had accounted for anything when the first of them came.
    accounts: u32,
}

impl Untold {
    /// More has come, when the conversation has accounted for anything so often.
    pub(crate) fn remember(&mut self, bytes: &[u8], accounts: u32) {
        if self.accounts != accounts {
            *self = Self { bytes: Vec::new(), accounts };
        }
        let count = MOST.saturating_sub(self.bytes.len()).min(bytes.len());
        let before = IN_ALL.fetch_add(count, Ordering::Relaxed);
        let kept = MOST_IN_ALL.saturating_sub(before).min(count);
        IN_ALL.fetch_sub(count - kept, Ordering::Relaxed);
        self.bytes.extend_from_slice(bytes.get(..kept).unwrap_or_default());
    }

    /// What nobody has accounted for up to now.
    pub(crate) fn take(&mut self, accounts: u32) -> Vec<u8> {
        if self.accounts == accounts { self.forget() } else { Vec::new() }
    }

    fn forget(&mut self) -> Vec<u8> {
        IN_ALL.fetch_sub(self.bytes.len(), Ordering::Relaxed);
        std::mem::take(&mut self.bytes)
    }
}

impl Drop for Untold {
    fn drop(&mut self) {
        self.forget();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keeps_what_came_since_the_last_account_and_no_more_than_is_allowed() {
        let mut untold = Untold::default();
        untold.remember(b"told", 3);
        assert_eq!(untold.take(4), b"");
        untold.remember(b"one", 4);
        untold.remember(b"two", 4);
        assert_eq!(untold.take(4), b"onetwo");
        let piece = vec![7; 3 * MOST];
        let mut many: Vec<_> = (0..65).map(|_| Untold::default()).collect();
        many.iter_mut().for_each(|untold| untold.remember(&piece, 0));
        let kept: Vec<usize> = many.iter_mut().map(|untold| untold.take(0).len()).collect();
        assert!(kept.iter().all(|kept| *kept <= MOST) && kept.iter().sum::<usize>() == MOST_IN_ALL, "{kept:?}");
        drop(many);
        assert_eq!(IN_ALL.load(Ordering::Relaxed), 0);
    }
}
