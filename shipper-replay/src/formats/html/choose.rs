//! Choosing what is shown where there is room for some only.

/// The positions of those that are chosen, in order: the ones that weigh most (the lowest number), and of the last
/// weight that has room, some from its beginning to its end, so that what is left out leaves no gap.
pub(super) fn choose(weights: &[u8], most: usize) -> Vec<usize> {
    let mut sorted: Vec<u8> = weights.to_vec();
    sorted.sort_unstable();
    let Some(last) = sorted.get(most).copied() else {
        return (0..weights.len()).collect();
    };
    let heavier = weights.iter().filter(|weight| **weight < last).count();
    let (room, all) = (most.saturating_sub(heavier), weights.iter().filter(|weight| **weight == last).count());
    let mut seen = 0;
    let chosen = |(_, weight): &(usize, &u8)| {
        if **weight != last {
            return **weight < last;
        }
        seen += 1;
        seen * room / all > (seen - 1) * room / all
    };
    weights.iter().enumerate().filter(chosen).map(|(position, _)| position).collect()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// (Pass) The heaviest are all there, the others from beginning to end.
    #[test]
    fn the_heaviest_and_some_of_the_others() {
        assert_eq!(choose(&[4, 4, 0, 4, 4, 4, 4], 4), [1, 2, 4, 6]);
        assert_eq!(choose(&[4, 4], 4), [0, 1]);
        assert_eq!(choose(&[1, 0, 0], 1), [2]);
    }

    proptest! {
        /// (Pass) As many as have room, and nothing is left out that weighs more than what is chosen.
        #[test]
        fn as_many_as_have_room(weights in prop::collection::vec(0..4_u8, 0..50), most in 0..60_usize) {
            let chosen = choose(&weights, most);
            prop_assert_eq!(chosen.len(), weights.len().min(most));
            prop_assert!(chosen.is_sorted());
            let lightest = chosen.iter().map(|position| weights[*position]).max().unwrap_or(0);
            let left_out = (0..weights.len()).filter(|position| !chosen.contains(position));
            prop_assert!(left_out.into_iter().all(|position| most == 0 || weights[position] >= lightest));
        }
    }
}
