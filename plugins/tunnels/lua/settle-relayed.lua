-- Charge what a tenant has had relayed and not paid yet: an entry for each tunnel, as far as there is credit. What is
-- charged is taken from what is not paid in the same step, so that nothing is charged twice or forgotten.
-- KEYS[1] credits · KEYS[2] events · KEYS[3] audit · KEYS[4] what is not paid · KEYS[5] what the keys of tunnels begin with:
--         the same tenant, the same slot
-- ARGV[1] JSON {per: bytes of a micro-dollar, everyMs: between two charges, entries: [id of a ledger entry, …]}
-- Returns {1 when there is more to be charged at once, 1 when something is left that may be charged later}
-- @include now
-- @include calendar
-- @include outbox
-- @include credits
-- @include relay-price
local keys = { credits = KEYS[1], events = KEYS[2], audit = KEYS[3] }
local settlement, at = cjson.decode(ARGV[1]), now()
local per = settlement.per
local since = redis.call('HGET', KEYS[4], 'settledAt')
if not since then return { 0, 0 } end
if at - tonumber(since) < settlement.everyMs then return { 0, 1 } end

local left = 0
local flat = redis.call('HGETALL', KEYS[4])
for n = 1, #flat, 2 do
    local tunnel, user = flat[n]:match('^tunnel:([^:]+):(.*)$')
    local bytes = tonumber(flat[n + 1])
    if tunnel then
        local who = { 'tenant' }
        if user ~= '' then who[2] = 'user:' .. user end
        local code, room = room_for(keys, 0, who, at)
        local price = price_of(bytes, per)
        local amount = math.min(price, code == 1 and room or 0)
        if amount > 0 then
            if #settlement.entries == 0 then return { 1, 1 } end
            local about, paid = 'tunnel:' .. tunnel, digits(amount * per)
            local fields = { 'tunnelId', tunnel, 'bytes', paid }
            local index = {}
            if user ~= '' then
                fields[5], fields[6] = 'userId', user
                index[1] = 'user:' .. user
            end
            local sums = { about, unpack(who) }
            move_credits(keys, {
                id = table.remove(settlement.entries),
                type = 'tunnel_usage',
                fields = fields,
                sums = sums,
                counts = { about .. ':bytes', paid },
                index = index,
            }, -amount, at)
            owe(KEYS[4], tunnel, user, -amount * per)
        end
        if amount < price then
            left = 1
        elseif bytes % per > 0 and redis.call('EXISTS', KEYS[5] .. tunnel) == 0 then
            -- Less than a micro-dollar, of a tunnel that comes to no more.
            owe(KEYS[4], tunnel, user, -(bytes % per))
        end
    end
end
-- What comes from now on waits for its own time.
if left == 1 then
    redis.call('HSET', KEYS[4], 'settledAt', digits(at))
else
    redis.call('HDEL', KEYS[4], 'settledAt')
end
return { 0, left }
