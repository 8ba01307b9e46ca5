-- The triggers of an event name as JSON texts, in order of workflow id.
local function triggers_of(triggers, index, event_name)
  local from, found = event_name .. '\n', {}
  for _, entry in ipairs(redis.call('ZRANGE', index, '[' .. from, '[' .. from .. '\255', 'BYLEX')) do
    local trigger = redis.call('HGET', triggers, string.sub(entry, #from + 1))
    if trigger then found[#found + 1] = trigger end
  end
  return found
end
