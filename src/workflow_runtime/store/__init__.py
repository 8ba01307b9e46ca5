"""Everything kept in Redis, one module per kind of thing. Worker-safe: processes and activities, never workflow code.

A store is built once in ``main`` from a `redis.asyncio.Redis` client with ``decode_responses=True`` and passed down.
Keys are ``wf:{tenant}:…`` with the tenant as hash tag and every change of several keys is one Lua script which gets all
its keys in KEYS, so the same code runs on a cluster.
"""
