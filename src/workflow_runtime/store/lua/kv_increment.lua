-- ARGV: …, by, now, initial. A number is an IEEE double, as JSON numbers are for its other users.
-- Answers {'set', revision, value} or {'no number', value} or {'range', value}.
local before = answer_of_before()
if before then return before end
local text = redis.call('HGET', ENTRY, 'value') or ARGV[6]
if not string.match(text, '^-?%d') then return {'no number', text} end
local value = tonumber(text) + tonumber(ARGV[4])
if value ~= value or value == math.huge or value == -math.huge then return {'range', text} end
local whole = value == math.floor(value) and math.abs(value) < 2 ^ 53
local new = string.format(whole and '%.0f' or '%.17g', value)
if new == '-0' then new = '0' end
return remember({'set', enter(new, ARGV[5]), new})
