//! Which partition a record goes to, and in which request. Apart, because order rests on it: all of one key goes to one
//! partition, and what goes to one partition keeps its order.

use rskafka::record::Record;
use std::collections::HashMap;

/// What a record has besides its key, value and headers: lengths, offset, time.
pub(super) const FRAME: usize = 64;

/// Records in the order in which they came, as requests to partitions of at most so many bytes.
pub(super) fn parts(records: Vec<(u32, Record)>, partitions: &[i32], most: usize) -> Vec<(i32, Vec<Record>)> {
    let mut parts: Vec<(i32, usize, Vec<Record>)> = Vec::new();
    let mut last: HashMap<i32, usize> = HashMap::new();
    for (hash, record) in records {
        // As Kafka's own producers choose: the hash without its sign.
        let place = (hash & 0x7FFF_FFFF) as usize % partitions.len().max(1);
        let partition = partitions.get(place).copied().unwrap_or_default();
        let size = record.approximate_size() + FRAME;
        let open = last.get(&partition).and_then(|at| parts.get_mut(*at)).filter(|(_, bytes, _)| bytes + size <= most);
        if let Some((_, bytes, records)) = open {
            *bytes += size;
            records.push(record);
        } else {
            last.insert(partition, parts.len());
            parts.push((partition, size, vec![record]));
        }
    }
    parts.into_iter().map(|(partition, _, records)| (partition, records)).collect()
}

/// MurmurHash2 of 32 bits with the seed that Kafka's producers use.
pub(super) fn murmur2(bytes: &[u8]) -> u32 {
    const M: u32 = 0x5bd1_e995;
    let mut hash = 0x9747_b28c ^ u32::try_from(bytes.len()).unwrap_or(u32::MAX);
    let (words, rest) = bytes.as_chunks::<4>();
    for word in words {
        let mut k = u32::from_le_bytes(*word).wrapping_mul(M);
        k = (k ^ k >> 24).wrapping_mul(M);
        hash = hash.wrapping_mul(M) ^ k;
    }
    if !rest.is_empty() {
        hash ^= rest.iter().rev().fold(0, |word, byte| word << 8 | u32::from(*byte));
        hash = hash.wrapping_mul(M);
    }
    hash = (hash ^ hash >> 13).wrapping_mul(M);
    hash ^ hash >> 15
}

#[cfg(test)]
mod tests {
    use super::*;
    use rskafka::chrono::DateTime;
    use std::collections::BTreeMap;

    fn record(size: usize) -> Record {
        Record { key: None, value: Some(vec![0; size]), headers: BTreeMap::new(), timestamp: DateTime::UNIX_EPOCH }
    }

    /// The vectors are of the tests of Kafka's own client.
    #[test]
    fn a_key_is_hashed_as_kafka_does() {
        let vectors = [
            ("21", -973_932_308),
            ("foobar", -790_332_482),
            ("a-little-bit-long-string", -985_981_536),
            ("a-little-bit-longer-string", -1_486_304_829),
            ("lkjh234lh9fiuh90y23oiuhsafujhadof229phr9h19h89h8", -58_897_971),
            ("abc", 479_470_107),
        ];
        for (key, hash) in vectors {
            assert_eq!(murmur2(key.as_bytes()).cast_signed(), hash, "{key}");
        }
    }

    #[test]
    fn requests_keep_the_order_of_each_partition_and_the_limit() {
        let records: Vec<_> = (0..10_u32).map(|n| (n % 2, record(100 + n as usize))).collect();
        let parts = parts(records, &[4, 5], 2 * (FRAME + 110));
        for partition in [4, 5] {
            let sizes = parts.iter().filter(|(p, _)| *p == partition).flat_map(|(_, records)| records);
            let sizes: Vec<_> = sizes.map(|record| record.value.as_ref().unwrap().len()).collect();
            assert!(sizes.len() == 5 && sizes.is_sorted(), "{sizes:?}");
        }
        assert!(parts.iter().all(|(_, records)| records.len() <= 2));
    }
}
