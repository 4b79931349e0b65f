-- Claim a domain for a tenant that is about to be created.
-- KEYS[1] domain (string: tenant id) · KEYS[2] claims (zset by time: "<tenant id> <domain>")
-- ARGV[1] tenant id · ARGV[2] domain
-- Returns 1 claimed, 0 taken
-- @include now
if not redis.call('SET', KEYS[1], ARGV[1], 'NX') then return 0 end
redis.call('ZADD', KEYS[2], string.format('%d', now()), ARGV[1] .. ' ' .. ARGV[2])
return 1
