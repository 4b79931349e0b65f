-- Renew the lease on a slot; one that was lost meanwhile is taken again, because its generation runs.
-- KEYS[1] slots (zset by expiry)
-- ARGV[1] slot id · ARGV[2] lease in milliseconds
-- @include now
redis.call('ZADD', KEYS[1], string.format('%d', now() + ARGV[2]), ARGV[1])
redis.call('PEXPIRE', KEYS[1], ARGV[2])
return 1
