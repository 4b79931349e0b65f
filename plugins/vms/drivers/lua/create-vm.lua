-- Make a simulated VM that runs, with the first address of the range that nobody has. One that is there stays as it is.
-- KEYS[1] VM · KEYS[2] addresses that are taken (bitmap of a private block)
-- ARGV[1] first and ARGV[2] last address of the range, counted from the block's start · ARGV[3] the block
-- ARGV[4] … field, value, … of what the VM is to be
-- Returns {state, block, address} as it is now, {} no address is left
if redis.call('EXISTS', KEYS[1]) == 0 then
    -- Behind its end a bitmap has no free bit.
    if redis.call('STRLEN', KEYS[2]) * 8 <= tonumber(ARGV[2]) then redis.call('SETBIT', KEYS[2], ARGV[2], 0) end
    local address = redis.call('BITPOS', KEYS[2], 0, ARGV[1], ARGV[2], 'BIT')
    if address < 0 then return {} end
    redis.call('SETBIT', KEYS[2], address, 1)
    redis.call('HSET', KEYS[1], 'state', 'running', 'block', ARGV[3], 'address', address, unpack(ARGV, 4))
end
return redis.call('HMGET', KEYS[1], 'state', 'block', 'address')
