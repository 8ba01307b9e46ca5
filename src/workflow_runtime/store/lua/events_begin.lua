-- Records attempts of targets before they are made. KEYS: lanes, leases, then each event. Each: {id, token, considered (''
-- after the first plan), targets}, a target being {id, lanes, trying, behind}, the last two the states to store (behind: as
-- it was). A target stands behind when an earlier event still waits for the same target with one of the same keys.
-- Answers {state = stale} or {state = ok, verdicts}: trying or behind for each target.
local LANES, LEASES = KEYS[1], KEYS[2]

return each(2, function(EVENT, pass)
  if not stands(LEASES, pass.id, pass.token) then
    over(EVENT, pass.token)
    return {state = 'stale'}
  end
  if pass.considered ~= '' then redis.call('HSETNX', EVENT, 'considered', pass.considered) end
  local seq, verdicts, tried = redis.call('HGET', EVENT, 'seq'), {}, {}
  for i, target in ipairs(pass.targets) do
    enter_all(LANES, target.lanes, seq, pass.id)
    verdicts[i] = heads_all(LANES, target.lanes, pass.id) and 'trying' or 'behind'
    redis.call('HSET', EVENT, 't:' .. target.id, target[verdicts[i]])
    if verdicts[i] == 'trying' then tried[#tried + 1] = target.id end
  end
  if #tried > 0 then under_way(EVENT, pass.token, tried) else over(EVENT, pass.token) end
  return {state = 'ok', verdicts = verdicts}
end)
