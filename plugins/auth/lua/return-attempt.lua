-- Give back an attempt to log in that did not fail.
-- KEYS[1] failures of the account · KEYS[2] failures of the IP address
-- ARGV[1] 1 where the password was right: the account's failures are forgotten. Those of the address are not, or
--         whoever has an account of his own could go on for ever
-- Returns nothing
if ARGV[1] == '1' then redis.call('UNLINK', KEYS[1]) end
for n = 1, 2 do
    local count = tonumber(redis.call('HGET', KEYS[n], 'count') or 0)
    if count > 0 then redis.call('HSET', KEYS[n], 'count', count - 1, 'until', 0) end
end
