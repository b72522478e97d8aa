//! The lines of events before they stand in a log.

use super::draft::NewEvent;
use super::error::AppendError;
use crate::event::Event;
use crate::follow::Follower;
use crate::line::error::MAX_LINE_LEN;
use crate::link::ChainLink;
use crate::survey::{Regard, What, survey};
use crate::timestamp::Timestamp;

/// The lines of events that come after what was followed.
pub(super) fn lines(drafts: Vec<NewEvent>, stamp: &Timestamp, after: &Follower) -> Result<Vec<u8>, AppendError> {
    let (mut lines, mut previous, mut bytes) = (after.lines(), after.chain().previous(), Vec::new());
    for draft in drafts {
        let event = Event {
            link: Some(ChainLink::following(lines, previous)),
            timestamp: stamp.clone(),
            event_type: draft.event_type,
            package: draft.package,
            others: draft.others,
        };
        let line = format!("{event}\n").into_bytes();
        if line.len() > MAX_LINE_LEN {
            return Err(AppendError::TooLong { bytes: line.len() });
        }
        lines += 1;
        previous = blake3::hash(&line);
        bytes.extend(line);
    }
    Ok(bytes)
}

/// What is written must be readable and must follow: members given by a caller are not trusted to be and do.
pub(super) fn check(bytes: &[u8], follower: &mut Follower) -> Result<(), AppendError> {
    follower.take(survey(bytes, |_| Regard::<()>::Quiet), |seen, _| {
        if let Some(What::Corrupt(corruption)) = seen.what {
            return Err(AppendError::InvalidEvent { corruption: *corruption });
        }
        seen.followed.breaks.into_iter().next().map_or(Ok(()), |found| Err(AppendError::ChainViolation { found }))
    })
}
