"""Which partition a key lives on: the Java client's default partitioner, so that every producer agrees."""

from functools import lru_cache

_M = 0x5BD1E995
_MASK = 0xFFFFFFFF


def murmur2(data: bytes) -> int:
    """Kafka's variant of MurmurHash2 (seed 0x9747b28c), as `org.apache.kafka.common.utils.Utils.murmur2`."""
    length = len(data)
    h = (0x9747B28C ^ length) & _MASK
    whole = length & ~3
    for i in range(0, whole, 4):
        k = int.from_bytes(data[i : i + 4], "little") * _M & _MASK
        k = (k ^ (k >> 24)) * _M & _MASK
        h = (h * _M & _MASK) ^ k
    if length & 3:
        h = (h ^ int.from_bytes(data[whole:], "little")) * _M & _MASK
    h = (h ^ (h >> 13)) * _M & _MASK
    return h ^ (h >> 15)


@lru_cache(maxsize=65536)
def partition_of(key: bytes, count: int) -> int:
    """The partition, 0 to `count` - 1, of a record with this key in a topic of `count` partitions."""
    return (murmur2(key) & 0x7FFFFFFF) % count
