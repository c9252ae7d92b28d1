"""What consumer groups still know of what happened before: of workers that a test has killed, of other tests."""

from __future__ import annotations

from aiokafka import AIOKafkaConsumer, TopicPartition
from aiokafka.admin import AIOKafkaAdminClient
from aiokafka.protocol.group import LeaveGroupRequest


async def forget_the_dead(bootstrap: str, group: str) -> None:
    """Take every member out of a group of whose processes none runs any more.

    The broker does the same once their sessions (6 s) have run out, and gives their partitions to nobody before. That
    it does is shown where one of two workers dies (`tests/e2e/test_merge_storm.py`, `test_workers_share.py`, the lane's
    contract); where the next worker just has to come, a test need not wait for it each time.
    """
    admin = AIOKafkaAdminClient(bootstrap_servers=bootstrap)
    await admin.start()
    try:
        coordinator = await admin.find_coordinator(group)
        (described,) = await admin.describe_consumer_groups([group], coordinator)
        ((_, _, _, _, _, members, *_),) = described.groups
        for member, *_ in members:
            left = await admin._send_request(LeaveGroupRequest(group, member), coordinator)
            assert left.error_code == 0, f"{group} does not let {member} go: {left}"
    finally:
        await admin.close()


async def leave_out_what_waits(bootstrap: str, group: str, topic: str) -> None:
    """A group without members goes on at the present end of a topic."""
    consumer = AIOKafkaConsumer(bootstrap_servers=bootstrap, group_id=group, enable_auto_commit=False)
    await consumer.start()
    try:
        known = await consumer._client.fetch_all_metadata()
        parts = [TopicPartition(topic, number) for number in known.partitions_for_topic(topic)]
        consumer.assign(parts)
        await consumer.commit(await consumer.end_offsets(parts))
    finally:
        await consumer.stop()
