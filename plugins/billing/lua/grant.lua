-- Add to a tenant's credits, or take what is free of them.
-- KEYS[1] credits · KEYS[2] events · KEYS[3] audit
-- ARGV[1] JSON {id: of the operation, amount: signed, most: what the balance may be, entry, events, audit}
-- Returns {1, balance} done, {0, balance} this operation has been done before, {-1, free} that much is not there,
--         {-4, balance} the balance would be more than it may
-- @include now
-- @include calendar
-- @include outbox
-- @include credits
local keys = { credits = KEYS[1], events = KEYS[2], audit = KEYS[3] }
local grant = cjson.decode(ARGV[1])
local amount, at = micros(grant.amount), now()
local free, balance = free_credits(keys)
if is_done(keys, grant.id) then return { 0, balance } end
if free + amount < 0 then return { -1, free } end
if amount > 0 and balance + amount > micros(grant.most) then return { -4, balance } end
remember(keys, grant.id, at)
move_credits(keys, grant.entry, amount, at)
append_entries(KEYS[2], KEYS[3], grant, at)
return { 1, balance + amount }
