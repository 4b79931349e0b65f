-- The tenant was not created, or has another domain: this one is free again.
-- KEYS[1] domain · KEYS[2] claims
-- ARGV[1] tenant id · ARGV[2] domain · ARGV[3] time of the claim; one that was made again since is left alone
local member = ARGV[1] .. ' ' .. ARGV[2]
if tonumber(redis.call('ZSCORE', KEYS[2], member) or -1) ~= tonumber(ARGV[3]) then return 0 end
redis.call('ZREM', KEYS[2], member)
if redis.call('GET', KEYS[1]) == ARGV[1] then redis.call('DEL', KEYS[1]) end
return 1
