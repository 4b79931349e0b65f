-- Claims whose registration or change must have ended by now, one way or the other.
-- KEYS[1] claims
-- ARGV[1] age in milliseconds · ARGV[2] how many at most
-- Returns {"<tenant id> <domain>", time, …}
-- @include now
local before = string.format('%d', now() - ARGV[1])
return redis.call('ZRANGEBYSCORE', KEYS[1], '-inf', before, 'WITHSCORES', 'LIMIT', 0, ARGV[2])
