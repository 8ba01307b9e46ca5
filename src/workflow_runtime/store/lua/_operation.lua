-- Makes a change happen once per operation. The last of KEYS marks the operation; ARGV[1] is how long it is remembered
-- in ms, or '' when the caller gave none. Answers are lists of texts and numbers.
local OPERATION, REMEMBER_MS = KEYS[#KEYS], ARGV[1]

local function answer_of_before()
  if REMEMBER_MS == '' then return nil end
  local text = redis.call('GET', OPERATION)
  return text and cjson.decode(text) or nil
end

local function remember(answer)
  if REMEMBER_MS ~= '' then redis.call('SET', OPERATION, cjson.encode(answer), 'PX', REMEMBER_MS) end
  return answer
end
