"""What tells who somebody is: addresses, numbers of phones, cards, accounts and persons."""
