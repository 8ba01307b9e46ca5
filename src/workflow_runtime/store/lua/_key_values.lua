-- KEYS: entry, index of the namespace, namespaces, expiry, operation. ARGV: see _operation.lua, then namespace, key.
local ENTRY, INDEX, NAMESPACES, EXPIRY = KEYS[1], KEYS[2], KEYS[3], KEYS[4]
local NAMESPACE, KEY = ARGV[2], ARGV[3]
local EXPIRING = NAMESPACE .. '\n' .. KEY

local function revision()
  return tonumber(redis.call('HGET', ENTRY, 'revision') or '0')
end

-- Redis may have expired the entry itself; what is left in the indexes goes with the next write or listing.
local function forget()
  redis.call('ZREM', INDEX, KEY)
  redis.call('ZREM', EXPIRY, EXPIRING)
  if redis.call('EXISTS', INDEX) == 0 then redis.call('ZREM', NAMESPACES, NAMESPACE) end
end

local function enter(value, now)
  local next_revision = revision() + 1
  redis.call('HSETNX', ENTRY, 'createdAt', now)
  redis.call('HSET', ENTRY, 'value', value, 'revision', string.format('%.0f', next_revision), 'updatedAt', now)
  redis.call('ZADD', INDEX, 0, KEY)
  redis.call('ZADD', NAMESPACES, 0, NAMESPACE)
  return next_revision
end

local function expire_in(ttl_ms)
  local time = redis.call('TIME')
  local at = tonumber(time[1]) * 1000 + math.floor(tonumber(time[2]) / 1000) + tonumber(ttl_ms)
  redis.call('PEXPIREAT', ENTRY, string.format('%.0f', at))
  redis.call('HSET', ENTRY, 'expiresMs', string.format('%.0f', at))
  redis.call('ZADD', EXPIRY, at, EXPIRING)
end
