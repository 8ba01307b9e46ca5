-- Shared head of every event script. A lane is a queue of events in order of acceptance. All lanes of a tenant stand in one
-- sorted set of equal scores with the members lane|sequence|event id; lane names are percent-encoded, so '|' separates.

local function now_ms()
  local time = redis.call('TIME')
  return tonumber(time[1]) * 1000 + math.floor(tonumber(time[2]) / 1000)
end

local function ordered(seq, event_id)
  return string.format('%016d', tonumber(seq)) .. '|' .. event_id
end

local function lane_head(lanes, lane)
  local first = redis.call('ZRANGEBYLEX', lanes, '[' .. lane .. '|', '(' .. lane .. '}', 'LIMIT', 0, 1)[1]
  return first and string.match(first, '([^|]+)$')
end

local function heads_all(lanes, names, event_id)
  for _, lane in ipairs(names) do
    local head = lane_head(lanes, lane)
    if head and head ~= event_id then return false end
  end
  return true
end

local function enter_all(lanes, names, seq, event_id)
  for _, lane in ipairs(names) do
    redis.call('ZADD', lanes, 0, lane .. '|' .. ordered(seq, event_id))
  end
end

-- Answers the lanes in which the event stood.
local function leave_all(lanes, names, seq, event_id)
  local left = {}
  for _, lane in ipairs(names) do
    if redis.call('ZREM', lanes, lane .. '|' .. ordered(seq, event_id)) == 1 then left[#left + 1] = lane end
  end
  return left
end

-- A lease is stored as token|time of its end in milliseconds. Whose it is, if it has not run out:
local function holder(leases, event_id, now)
  local lease = redis.call('HGET', leases, event_id)
  if not lease then return nil end
  local token, ends = string.match(lease, '^(.*)|(%d+)$')
  return tonumber(ends) > now and token or nil
end

-- A lease that ran out still stands until another takes it: a slow process is not a dead one.
local function stands(leases, event_id, token)
  local lease = redis.call('HGET', leases, event_id)
  return lease and string.match(lease, '^(.*)|%d+$') == token
end

-- What a pass is about to try stands under 'p:' and its token until the pass ends, however it ends: what still stands there
-- was left by a process that ended in the middle, or is too slow to have kept its lease and will take it away itself.
local function under_way(event, token, what)
  redis.call('HSET', event, 'p:' .. token, cjson.encode(what))
end

local function over(event, token)
  redis.call('HDEL', event, 'p:' .. token)
end

local function hold(leases, open, event_id, token, ends)
  redis.call('HSET', leases, event_id, token .. '|' .. string.format('%d', ends))
  redis.call('ZADD', open, ends, event_id)
end
