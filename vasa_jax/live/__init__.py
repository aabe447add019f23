"""A talking face live: sessions on one clock, and a page and ways to reach them.

`session.Session` knows no network: sound in, ticks of picture and sound out. The ways
(`webrtc`, `websocket`) and the server are of the extra `live` and imported by it alone.
"""
