-- All that goes is noted: from now on there is no way back.
-- KEYS[1] restore
-- Returns the phase it is in now
if redis.call('HGET', KEYS[1], 'phase') == 'collecting' then redis.call('HSET', KEYS[1], 'phase', 'swapping') end
return redis.call('HGET', KEYS[1], 'phase') or ''
