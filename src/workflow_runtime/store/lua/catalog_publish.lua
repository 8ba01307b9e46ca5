-- KEYS as in _triggers.lua, then the version. ARGV: workflow id, version, hash, now, trigger JSON, event name, number of
-- row fields, row fields, version fields. The row describes the draft when there is one, else what was published.
-- Answers {'published' | 'same' | 'different' | 'archived', hash of that version}.
local VERSION = KEYS[6]
local id, version, hash, now, trigger, event_name = ARGV[1], ARGV[2], ARGV[3], ARGV[4], ARGV[5], ARGV[6]

local existing = redis.call('HGET', VERSION, 'hash')
if existing then return {existing == hash and 'same' or 'different', existing} end
if redis.call('HEXISTS', WORKFLOW, 'archivedAt') == 1 then return {'archived', ''} end

local first_version_field = 8 + tonumber(ARGV[7])
redis.call('HSETNX', WORKFLOW, 'createdAt', now)
redis.call('ZADD', WORKFLOWS, 0, id)
if redis.call('HEXISTS', WORKFLOW, 'draftVersion') == 0 then
  redis.call('HSET', WORKFLOW, unpack(ARGV, 8, first_version_field - 1))
end
redis.call('HSET', VERSION, unpack(ARGV, first_version_field))
redis.call('ZADD', VERSIONS, version, version)
redis.call('HSET', WORKFLOW, 'updatedAt', now)
if tonumber(version) > tonumber(redis.call('HGET', WORKFLOW, 'latestVersion') or '0') then
  redis.call('HSET', WORKFLOW, 'latestVersion', version)
  set_trigger(id, trigger, event_name)
end
return {'published', hash}
