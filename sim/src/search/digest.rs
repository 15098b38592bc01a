//! The digest: one number for everything that a command ran, equal on every machine and for any number of jobs.

use xxhash_rust::xxh3::Xxh3;

/// Collects the runs; the order in which they are added does not matter.
#[derive(Debug, Default)]
pub struct Digest {
    parts: Vec<(String, String, u64, u64, Vec<u128>)>,
}

impl Digest {
    /// Adds the trace hashes of consecutive runs of a search, the first of which is run `from`.
    pub fn add_runs(
        &mut self,
        scenario: &str,
        variant: &str,
        seed: u64,
        from: u64,
        hashes: &[u128],
    ) {
        self.parts.push((
            scenario.to_owned(),
            variant.to_owned(),
            seed,
            from,
            hashes.to_vec(),
        ));
    }

    /// 128 bits over the sorted (scenario, variant, seed, run, trace hash).
    pub fn finish(mut self) -> u128 {
        self.parts.sort_unstable();
        let mut hash = Xxh3::new();
        for (scenario, variant, seed, from, hashes) in &self.parts {
            for (run, trace) in (*from..).zip(hashes) {
                for name in [scenario, variant] {
                    hash.update(&(name.len() as u64).to_le_bytes());
                    hash.update(name.as_bytes());
                }
                hash.update(&seed.to_le_bytes());
                hash.update(&run.to_le_bytes());
                hash.update(&trace.to_le_bytes());
            }
        }
        hash.digest128()
    }
}

/// A hash as people see it.
pub fn hex(hash: u128) -> String {
    format!("{hash:032x}")
}

#[cfg(test)]
mod tests {
    use super::Digest;

    #[test]
    fn the_order_of_work_does_not_show() {
        let digest = |order: [usize; 3]| {
            let mut digest = Digest::default();
            for part in order {
                match part {
                    0 => digest.add_runs("a", "bug", 0, 0, &[1, 2]),
                    1 => digest.add_runs("store", "default", 3, 1, &[7]),
                    _ => digest.add_runs("store", "default", 4, 1, &[8]),
                }
            }
            digest.finish()
        };
        assert_eq!(digest([0, 1, 2]), digest([2, 0, 1]));
        let mut other = Digest::default();
        other.add_runs("a", "bug", 0, 0, &[1, 3]);
        assert_ne!(other.finish(), digest([0, 1, 2]));
    }
}
