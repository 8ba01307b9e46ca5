-- Does the same with each of some events of a tenant. KEYS: those that all have in common, then the key of each event.
-- ARGV: one JSON object per event. Answers a JSON list; a fault of one event, as {fault = text}, leaves the others alone.
local function each(shared, step)
  local answers = {}
  for i = 1, #ARGV do
    local whole, answer = pcall(function() return step(KEYS[shared + i], cjson.decode(ARGV[i])) end)
    if not whole then answer = {fault = type(answer) == 'table' and answer.err or tostring(answer)} end
    answers[i] = answer
  end
  return cjson.encode(answers)
end
