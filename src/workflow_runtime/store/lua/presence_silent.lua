-- Tells which processes were not heard of for a while. KEYS: presence. ARGV: ms, names. Answers their names.
local time, silent = redis.call('TIME'), {}
local now = tonumber(time[1]) * 1000 + math.floor(tonumber(time[2]) / 1000)
for i = 2, #ARGV do
  local beat = redis.call('ZSCORE', KEYS[1], ARGV[i])
  if not beat or now - tonumber(beat) > tonumber(ARGV[1]) then silent[#silent + 1] = ARGV[i] end
end
return silent
