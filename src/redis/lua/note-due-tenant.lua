-- Note that there is about to be something to look at in a tenant, so that it is looked at from now on.
-- KEYS[1] tenants, by when they are due · KEYS[2] the same, by when they were noted last
-- ARGV[1] tenant
-- @include now
local time = string.format('%d', now())
redis.call('ZADD', KEYS[1], 'NX', time, ARGV[1])
redis.call('ZADD', KEYS[2], time, ARGV[1])
