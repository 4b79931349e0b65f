-- Read how many bytes a tenant has had relayed this month and what it may, and whether it can pay for more.
-- KEYS[1] tenant · KEYS[2] what the keys of the months begin with · KEYS[3] what is not paid · KEYS[4] credits
-- ARGV[1] plans that pay, as ` <plan> <plan> ` · ARGV[2] bytes of a micro-dollar · ARGV[3] user
-- Returns {bytes, plan, its own limits as JSON or '', and as `room_for`: 1 or why not, and what goes with it}
-- @include now
-- @include calendar
-- @include outbox
-- @include credits
-- @include relay-price
local at = now()
local plan, limits = unpack(redis.call('HMGET', KEYS[1], 'plan', 'limits'))
local used = redis.call('GET', KEYS[2] .. date_at(at):sub(1, 6)) or '0'
local code, detail = 1, ''
if plan and ARGV[1]:find(' ' .. plan .. ' ', 1, true) then
    for _, who in ipairs({ 'tenant', 'user:' .. ARGV[3] }) do
        local owed = price_of(tonumber(redis.call('HGET', KEYS[3], who) or 0), tonumber(ARGV[2]))
        if code == 1 then code, detail = room_for({ credits = KEYS[4] }, owed + 1, { who }, at) end
    end
end
return { used, plan or '', limits or '', code, detail }
