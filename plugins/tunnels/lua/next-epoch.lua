-- A number for a new link of a tunnel.
-- KEYS[1] tunnel
-- Returns it, 0 when there is no such tunnel
if redis.call('EXISTS', KEYS[1]) == 0 then return 0 end
return redis.call('HINCRBY', KEYS[1], 'links', 1)
