-- Say that a link is gone, unless a newer one has taken its place.
-- KEYS[1] link
-- ARGV[1] connection id
-- Returns 1 it was the tunnel's, 0 it was not
if redis.call('HGET', KEYS[1], 'connectionId') ~= ARGV[1] then return 0 end
return redis.call('DEL', KEYS[1])
