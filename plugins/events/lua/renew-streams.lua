-- Keep the places of live streams of a user.
-- KEYS[1] the user's streams, by when their places are free
-- ARGV[1] lease in ms · then streams
-- @include lease-time
local free_at = string.format('%d', lease_time() + ARGV[1])
for n = 2, #ARGV do redis.call('ZADD', KEYS[1], free_at, ARGV[n]) end
redis.call('PEXPIRE', KEYS[1], ARGV[1])
return 1
