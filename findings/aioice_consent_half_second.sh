#!/bin/sh
# aioice 0.13.0 (under aiortc 1.16) closes a connection after some 30 s where every answer
# takes 0.6 s. RFC 7675 (section 5.1) lets consent expire after 30 s without any answer; a
# good guess is that slow answers renew it. aioice waits 0.5 s for each of its questions,
# does not repeat them, takes no answer that comes later, and ends after six; its checks
# before connecting do wait. So a satellite's path, or a browser on a busy machine, loses a
# connection whose data arrives. `ice.CONSENT_FAILURES` of the module sets the six.
# Seen on 29 November 2026, Python 3.11. Fails when this no longer holds.
set -eu
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check aioice==0.13.0
"$folder/venv/bin/python" - <<'PYTHON'
import asyncio
import sys
import time

import aioice

ROUND_TRIP_SECONDS = 0.6


async def main():
    first = aioice.Connection(ice_controlling=True)
    second = aioice.Connection(ice_controlling=False)
    for one, other in ((first, second), (second, first)):
        await one.gather_candidates()
        for candidate in one.local_candidates:
            await other.add_remote_candidate(candidate)
        await other.add_remote_candidate(None)
        other.remote_username = one.local_username
        other.remote_password = one.local_password
    loop = asyncio.get_running_loop()
    for protocol in second._protocols:
        # A path that takes its time; nothing is lost, changed or put in another order.
        arrive = protocol.datagram_received
        protocol.datagram_received = lambda *given, arrive=arrive: loop.call_later(
            ROUND_TRIP_SECONDS, arrive, *given
        )
    await asyncio.gather(first.connect(), second.connect())
    began, received = time.monotonic(), 0
    try:
        while time.monotonic() < began + 60:
            await second.send(b"data")
            await asyncio.wait_for(first.recv(), 5)
            received += 1
            await asyncio.sleep(0.2)
    except ConnectionError as error:
        seconds = time.monotonic() - began
        print(f"closed after {seconds:.0f} s and {received} messages: {error}")
        return 20 < seconds < 50 and received > 50
    finally:
        await asyncio.gather(first.close(), second.close())
    return False


if not asyncio.run(main()):
    sys.exit("a connection with answers of 0.6 s is no longer closed")
PYTHON
