-- Say that the agent of a link is about to connect elsewhere, so that requests wait for that a moment.
-- KEYS[1] link
-- ARGV[1] connection id · ARGV[2] for how long, in ms
-- Returns 1 it was the tunnel's, 0 it was not
if redis.call('HGET', KEYS[1], 'connectionId') ~= ARGV[1] then return 0 end
redis.call('HSET', KEYS[1], 'draining', 1)
redis.call('PEXPIRE', KEYS[1], ARGV[2])
return 1
