-- Say that a link is gone, unless a newer one has taken its place; of one that drains that is known already.
-- KEYS[1] link
-- ARGV[1] connection id
-- Returns 1 it was the tunnel's, 0 it was not
local connection, draining = unpack(redis.call('HMGET', KEYS[1], 'connectionId', 'draining'))
if connection ~= ARGV[1] then return 0 end
if not draining then redis.call('DEL', KEYS[1]) end
return 1
