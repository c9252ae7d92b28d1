"""What a consumer group still believes of workers that a test has killed."""

from __future__ import annotations

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
