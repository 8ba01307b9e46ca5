"""Everything kept in Redis, one module per kind of thing. Worker-safe: processes and activities, never workflow code.

A store is built once in ``main`` from a `redis.asyncio.Redis` client with ``decode_responses=True`` and passed down.
Keys are ``wf:{tenant}:…`` with the tenant as hash tag and every change of several keys is one Lua script which gets all
its keys in KEYS, so the same code runs on a cluster.

What stands under a tenant's keys, by module (``store.events`` lists its own)::

    runs            run:<id>  run:<id>:payload|records|children  runs[:workflow:<id>][:status:<S>]
                    runs:ended|unlaunched|queues  workflow:<id>:active|queue
    catalog         workflow:<id>  workflow:<id>:draft|versions|version:<n>  workflows  workflow-keys  triggers[:events]
    schemas         schemas  event-catalogue
    action_registry actions
    ledger          run:<id>:ledger  ledger:<hash of an authored key>
    tasks           task:<id>  run:<id>:tasks  tasks[:status:<S>]
    key_values      kv:<namespace>:<key>  kv-index:<namespace>  kv-namespaces  kv-expiry
    links           link:<namespace>:<id>  links:<namespace>[:forward|reverse:<type>:<id>]  link-namespaces
    notifications   notification:<id>  notifications[:user:<id>[:unread]]
    shared          operation:<hash of an idempotency key>, so that a repeated change happens once
"""
