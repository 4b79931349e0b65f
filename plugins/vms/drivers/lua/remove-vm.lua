-- Remove a simulated VM, and give its address back to the block that it was taken from.
-- KEYS[1] VM · KEYS[2] what the keys of the blocks' bitmaps begin with
-- Returns 1 removed, 0 there was none
local block, address = unpack(redis.call('HMGET', KEYS[1], 'block', 'address'))
if not block then return 0 end
redis.call('SETBIT', KEYS[2] .. block, address, 0)
redis.call('DEL', KEYS[1])
return 1
