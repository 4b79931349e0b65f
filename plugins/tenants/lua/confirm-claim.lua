-- The tenant has the domain: its claim becomes its place in the list of tenants, unless it has one.
-- KEYS[1] claims · KEYS[2] tenants (zset by time: tenant id)
-- ARGV[1] tenant id · ARGV[2] domain · ARGV[3] time of the claim; one that was made again since is left alone
-- @include now
local member = ARGV[1] .. ' ' .. ARGV[2]
if tonumber(redis.call('ZSCORE', KEYS[1], member) or -1) ~= tonumber(ARGV[3]) then return 0 end
redis.call('ZREM', KEYS[1], member)
redis.call('ZADD', KEYS[2], 'NX', string.format('%d', now()), ARGV[1])
return 1
