-- Removes what every group has acknowledged, and consumers of one group that left nothing behind.
-- KEYS: stream, reader. ARGV: group, idle ms after which a consumer is dead. Answers {messages removed, consumers removed}.
local STREAM, READER = KEYS[1], KEYS[2]

local function before(a, b)
  local a_ms, a_seq = string.match(a, '(%d+)-(%d+)')
  local b_ms, b_seq = string.match(b, '(%d+)-(%d+)')
  if a_ms ~= b_ms then return tonumber(a_ms) < tonumber(b_ms) end
  return tonumber(a_seq) < tonumber(b_seq)
end

local function named(list)
  local fields = {}
  for i = 1, #list, 2 do fields[list[i]] = list[i + 1] end
  return fields
end

local keep
for _, row in ipairs(redis.call('XINFO', 'GROUPS', STREAM)) do
  local group = named(row)
  local ms, seq = string.match(group['last-delivered-id'], '(%d+)-(%d+)')
  local first = ms .. '-' .. string.format('%d', tonumber(seq) + 1)
  if group.pending > 0 then first = redis.call('XPENDING', STREAM, group.name)[2] end
  if not keep or before(first, keep) then keep = first end
end
local trimmed = keep and redis.call('XTRIM', STREAM, 'MINID', '=', keep) or 0

local removed, current = 0, redis.call('GET', READER)
for _, row in ipairs(redis.call('XINFO', 'CONSUMERS', STREAM, ARGV[1])) do
  local consumer = named(row)
  if consumer.pending == 0 and consumer.idle > tonumber(ARGV[2]) and consumer.name ~= current then
    redis.call('XGROUP', 'DELCONSUMER', STREAM, ARGV[1], consumer.name)
    removed = removed + 1
  end
end
return {trimmed, removed}
