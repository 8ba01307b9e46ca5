-- How far behind the reading is. KEYS: stream. ARGV: group.
-- Answers {unread messages, pending messages, ms since the oldest pending one was delivered}.
for _, row in ipairs(redis.call('XINFO', 'GROUPS', KEYS[1])) do
  local group = {}
  for i = 1, #row, 2 do group[row[i]] = row[i + 1] end
  if group.name == ARGV[1] then
    local oldest = redis.call('XPENDING', KEYS[1], ARGV[1], '-', '+', 1)[1]
    -- Redis does not know the lag for a while after a deletion in the middle; the length is then an upper bound.
    return {group.lag or redis.call('XLEN', KEYS[1]), group.pending, oldest and oldest[3] or 0}
  end
end
return redis.error_reply('NOGROUP no such consumer group')
