"""Contacts, addresses and bank accounts of the three customers of the small world."""

from typing import Any

CHILDREN: dict[str, list[dict[str, Any]]] = {
    "Contacts": [
        {"Account": "1", "FirstName": "Anna", "MiddleName": "de", "LastName": "Wit", "Email": "anna@klant1.example"},
        {"Account": "1", "FirstName": "Bart", "LastName": "Smit", "BusinessPhoneExtension": "12"},
        {"Account": "2", "LastName": "Mol"},
    ],
    "Addresses": [
        {"Account": "1", "Type": 4, "AddressLine1": "Kade 1", "Postcode": "3011 AA", "City": "Rotterdam"},
        {"Account": "2", "Type": 3, "AddressLine1": "Postbus 7", "City": "Ede", "Country": "NL"},
    ],
    "BankAccounts": [
        {"Account": "1", "BankAccount": "NL91ABNA0417164300", "BankAccountHolderName": "Klant 1"},
        {"Account": "3", "BankAccount": "NL20INGB0001234567", "Description": "Zakelijk"},
    ],
}
