-- KEYS: workflow, draft, index of workflows, keys. ARGV: workflow id, expected draft version or '', draft version to
-- set or '', draft JSON, now, key or '', then fields of the row. Answers {'saved' | 'moved' | 'taken', version or owner}.
local id, expected, set_to, now, key = ARGV[1], ARGV[2], ARGV[3], ARGV[5], ARGV[6]
local current = redis.call('HGET', KEYS[1], 'draftVersion') or '0'
if expected ~= '' and expected ~= current then return {'moved', current} end
if key ~= '' then
  local owner = redis.call('HGET', KEYS[4], key)
  if owner and owner ~= id then return {'taken', owner} end
  local old = redis.call('HGET', KEYS[1], 'key')
  if old then redis.call('HDEL', KEYS[4], old) end
  redis.call('HSET', KEYS[4], key, id)
  redis.call('HSET', KEYS[1], 'key', key)
end
local version = set_to ~= '' and set_to or tostring(tonumber(current) + 1)
redis.call('HSETNX', KEYS[1], 'createdAt', now)
redis.call('HDEL', KEYS[1], 'description', 'payloadSchemaRef')
redis.call('HSET', KEYS[1], 'draftVersion', version, 'updatedAt', now, unpack(ARGV, 7))
redis.call('SET', KEYS[2], ARGV[4])
redis.call('ZADD', KEYS[3], 0, id)
return {'saved', version}
