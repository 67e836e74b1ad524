"""What Exact says when a row is refused, in the user's language (dossier 9).

Dutch forms are seen; English ones marked * there are not. Labels of fields beyond Naam, Code, Email,
Betalingsconditie, Btw-code, Grootboekrekeningtype, Bankrekening, Bankrekening: Nummer and Formaat are translations made
here.
"""

from dataclasses import dataclass

_LABELS = {
    "Name": ("Naam", "Name"),
    "Code": ("Code", "Code"),
    "Email": ("Email", "Email"),
    "Country": ("Land", "Country"),
    "State": ("Provincie", "State"),
    "Status": ("Status", "Status"),
    "Language": ("Taal", "Language"),
    "PaymentConditionSales": ("Betalingsconditie", "Payment condition"),
    "PaymentConditionPurchase": ("Betalingsconditie", "Payment condition"),
    "SalesVATCode": ("Btw-code", "VAT code"),
    "PurchaseVATCode": ("Btw-code", "VAT code"),
    **{f"Classification{number}": (f"Classificatie {number}", f"Classification {number}") for number in range(1, 9)},
    "GLAccountSales": ("Grootboekrekening: Verkoop", "G/L account: Sales"),
    "GLAccountPurchase": ("Grootboekrekening: Inkoop", "G/L account: Purchase"),
    "GLAR": ("Debiteurenrekening", "Accounts receivable"),
    "GLAP": ("Crediteurenrekening", "Accounts payable"),
    "GLAccountType": ("Grootboekrekeningtype", "G/L account type"),
    "LeadSource": ("Bron", "Lead source"),
    "LeadPurpose": ("Doel", "Lead purpose"),
    "Parent": ("Hoofdrelatie", "Parent"),
    "InvoiceAccount": ("Factuur voor", "Invoice to"),
    "Accountant": ("Accountant", "Accountant"),
    "Reseller": ("Reseller", "Reseller"),
    "AccountManager": ("Accountmanager", "Account manager"),
    "MainContact": ("Contactpersoon", "Contact"),
    "Account": ("Relatie", "Account"),
    "LastName": ("Achternaam", "Last name"),
    "Gender": ("Geslacht", "Gender"),
    "Contact": ("Contactpersoon", "Contact"),
    "Type": ("Type", "Type"),
    "AddressLine1": ("Adres", "Address"),
    "BankAccountNumber": ("Bankrekening: Nummer", "Bank account: Number"),
    "BankAccount": ("Bankrekening", "Bank account"),
    "BankAccountHolderName": ("Rekeninghouder", "Account holder"),
    "BICCode": ("BIC-code", "BIC code"),
    "Description": ("Omschrijving", "Description"),
    "Format": ("Formaat", "Format"),
    "PriceList": ("Prijslijst", "Price list"),
    "ShippingMethod": ("Verzendwijze", "Shipping method"),
}


@dataclass(frozen=True, slots=True)
class Texts:
    """Exact's words in Dutch or English."""

    dutch: bool

    def exists(self) -> str:
        """A unique key is taken."""
        return "Gegeven bestaat reeds." if self.dutch else "Data already exists."

    def mandatory(self, field: str) -> str:
        """A field is missing."""
        return f"Verplicht: {self._label(field)}" if self.dutch else f"Mandatory: {self._label(field)}"

    def invalid(self, field: str) -> str:
        """A value cannot be; the English form was seen with empty brackets (Simplicate)."""
        return f"Ongeldig: {self._label(field)}" if self.dutch else f"Invalid: {self._label(field)} []"

    def bad_reference(self, field: str) -> str:
        """A guid or code that this company does not have."""
        label = self._label(field)
        return f"Ongeldige referentie: {label}" if self.dutch else f"Invalid reference: {label}"

    def bad_guid(self) -> str:
        """A text that should be a guid and is none."""
        return "Niet herkende GUID-indeling." if self.dutch else "Unrecognized Guid format."

    def _label(self, field: str) -> str:
        dutch, english = _LABELS.get(field, (field, field))
        return dutch if self.dutch else english
