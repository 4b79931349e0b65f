-- The tenant exists: its claim becomes its place in the list of tenants.
-- KEYS[1] claims · KEYS[2] tenants (zset by time: tenant id)
-- ARGV[1] tenant id · ARGV[2] domain
-- @include now
if redis.call('ZREM', KEYS[1], ARGV[1] .. ' ' .. ARGV[2]) == 1 then
    redis.call('ZADD', KEYS[2], string.format('%d', now()), ARGV[1])
end
return 1
