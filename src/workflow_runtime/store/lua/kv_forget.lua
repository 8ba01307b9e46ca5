-- Takes an expired entry out of the indexes, unless it was written again.
if redis.call('EXISTS', ENTRY) == 0 then forget() end
return 1
