-- Registers a wait and lists the recorded events it may have missed, as one step. KEYS: waits, wait index, run's waits,
-- recent events (of the name and key), sequence, trigger event of the run, the run's ledger. ARGV: wait, index member, wait as
-- JSON, time in ms from which it may look, or '' for from now on. A run's trigger event that is still recorded, or else
-- what was noted when the run was recorded, is an exact bound and goes before the time. Answers {stored wait, sequence|event id...} in order of acceptance.
local WAITS, INDEX, OF_RUN, RECENT, SEQUENCE, TRIGGER = KEYS[1], KEYS[2], KEYS[3], KEYS[4], KEYS[5], KEYS[6]
local LEDGER = KEYS[7]
local first, since = 0, 0
if ARGV[4] == '' then
  first = tonumber(redis.call('GET', SEQUENCE) or 0) + 1
else
  local trigger = redis.call('HGET', TRIGGER, 'seq')
  local from = redis.call('HGET', LEDGER, 'eventsFrom')
  if trigger then
    first = tonumber(trigger) + 1
  elseif from then
    first = tonumber(from)
  else
    since = tonumber(ARGV[4])
  end
end
local known = redis.call('HGET', WAITS, ARGV[1])
if known then
  -- A repetition keeps the bounds of the first time.
  local old_first, old_since = string.match(known, '^(%d+)|(%d+)|')
  first, since = tonumber(old_first), tonumber(old_since)
end
local stored = string.format('%d|%d|', first, since) .. ARGV[3]
redis.call('HSET', WAITS, ARGV[1], stored)
redis.call('ZADD', INDEX, 0, ARGV[2])
redis.call('SADD', OF_RUN, ARGV[1])
local answer = {stored}
for _, member in ipairs(redis.call('ZRANGEBYSCORE', RECENT, since, '+inf')) do
  if tonumber(string.match(member, '^(%d+)')) >= first then answer[#answer + 1] = member end
end
return answer
