-- The tenant was not created: its domain is free again.
-- KEYS[1] domain · KEYS[2] claims
-- ARGV[1] tenant id · ARGV[2] domain
if redis.call('GET', KEYS[1]) == ARGV[1] then redis.call('DEL', KEYS[1]) end
redis.call('ZREM', KEYS[2], ARGV[1] .. ' ' .. ARGV[2])
return 1
