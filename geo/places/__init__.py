"""Search places by name: communes, postcodes, hamlets, streets and addresses."""
