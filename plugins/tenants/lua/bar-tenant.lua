-- Bar the creation of a tenant whose claim is to be released: whoever is still on the way to create it finds the place
-- taken. The bar expires long after any such request.
-- KEYS[1] info
-- ARGV[1] tenant id · ARGV[2] lifetime in milliseconds
-- Returns 1 barred, 0 the tenant exists
if redis.call('HGET', KEYS[1], 'status') then
    if redis.call('HGET', KEYS[1], 'status') ~= 'barred' then return 0 end
    return 1
end
redis.call('HSET', KEYS[1], 'id', ARGV[1], 'status', 'barred')
redis.call('PEXPIRE', KEYS[1], ARGV[2])
return 1
