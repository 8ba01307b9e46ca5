-- Records an attempt of targets before it is made. KEYS: event, lanes, leases.
-- ARGV: event id, token, considered ('' after the first plan), then one JSON object per target {id, lanes, trying, behind},
-- the last two being the states to store. A target stands behind when an earlier event still waits for the same target
-- with one of the same keys. Answers {stale} or {ok, trying | behind for each target}.
local EVENT, LANES, LEASES = KEYS[1], KEYS[2], KEYS[3]
local event_id = ARGV[1]
if not stands(LEASES, event_id, ARGV[2]) then return {'stale'} end
if ARGV[3] ~= '' then redis.call('HSETNX', EVENT, 'considered', ARGV[3]) end
local seq, answer = redis.call('HGET', EVENT, 'seq'), {'ok'}
for i = 4, #ARGV do
  local target = cjson.decode(ARGV[i])
  enter_all(LANES, target.lanes, seq, event_id)
  local verdict = heads_all(LANES, target.lanes, event_id) and 'trying' or 'behind'
  redis.call('HSET', EVENT, 't:' .. target.id, target[verdict])
  answer[#answer + 1] = verdict
end
return answer
